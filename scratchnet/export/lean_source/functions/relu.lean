/-- y = max(x, 0). -/
def relu (x : Array Float32) : Array Float32 :=
  x.map (fun v => if v <= 0.0 then 0.0 else v)
