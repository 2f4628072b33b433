/-- The sum of a[i] b[i]. -/
def dot (a b : Array Float32) : Float32 :=
  (a.zip b).foldl (fun sum (u, v) => sum + u * v) 0.0
