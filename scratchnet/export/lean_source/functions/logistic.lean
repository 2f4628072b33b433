/-- 1 / (1 + e^-v), from e^-|v|, which cannot overflow. -/
def logistic (v : Float32) : Float32 :=
  let e := Float32.exp (-(Float32.abs v))
  if v > 0.0 then 1.0 / (1.0 + e) else e / (1.0 + e)
