/-- y = x x. -/
def square (x : Array Float32) : Array Float32 :=
  x.map (fun v => v * v)
