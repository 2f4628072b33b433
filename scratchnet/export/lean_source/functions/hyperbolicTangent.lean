/-- y = tanh x. -/
def hyperbolicTangent (x : Array Float32) : Array Float32 :=
  x.map (fun v => Float32.tanh v)
