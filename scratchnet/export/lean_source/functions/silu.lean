/-- y = x / (1 + e^-x). -/
def silu (x : Array Float32) : Array Float32 :=
  x.map (fun v => v * logistic v)
