/-- y = x where x > 0, else alpha (e^x - 1). -/
def elu (alpha : Float32) (x : Array Float32) : Array Float32 :=
  x.map (fun v => if v > 0.0 then v else alpha * (Float32.exp v - 1.0))
