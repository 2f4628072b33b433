/-- y = 1 / (1 + e^-x). -/
def sigmoid (x : Array Float32) : Array Float32 :=
  x.map (fun v => logistic v)
