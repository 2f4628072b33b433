/-- y = ln(1 + e^t) / beta with t = beta x, from e^-|t|, which cannot overflow; x above a threshold. -/
def softplus (beta threshold : Float32) (x : Array Float32) : Array Float32 :=
  let part := fun (t : Float32) => Float32.log (1.0 + Float32.exp (-(Float32.abs t)))
  let smooth := fun (t : Float32) => if t > 0.0 then t + part t else part t
  x.map (fun v => if beta * v > threshold then v else smooth (beta * v) / beta)
