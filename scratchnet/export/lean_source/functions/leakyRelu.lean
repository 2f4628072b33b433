/-- y = x where x > 0, else slope x. -/
def leakyRelu (slope : Float32) (x : Array Float32) : Array Float32 :=
  x.map (fun v => if v > 0.0 then v else slope * v)
