/-- The largest element. -/
def largest (x : Array Float32) : Float32 :=
  x.foldl (fun top v => if v > top then v else top) (x.getD 0 0.0)
