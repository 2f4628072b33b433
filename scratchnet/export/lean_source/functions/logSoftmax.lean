/-- y = x - ln(sum of e^x). The largest x is taken out of the sum, which then cannot overflow. -/
def logSoftmax (x : Array Float32) : Array Float32 :=
  let top := largest x
  let total := x.foldl (fun sum v => sum + Float32.exp (v - top)) 0.0
  x.map (fun v => v - top - Float32.log total)
