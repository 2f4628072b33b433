/-- y = x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x x x). -/
def geluTanh (x : Array Float32) : Array Float32 :=
  let root := Float32.sqrt (2.0 / 3.141592653589793)
  x.map (fun v => v * (1.0 + Float32.tanh (root * (v + 0.044715 * v * v * v))) * 0.5)
