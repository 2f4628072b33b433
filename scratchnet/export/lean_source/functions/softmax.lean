/-- y = e^x / sum of e^x. The largest x is taken out first: that changes no quotient, and e^x cannot overflow. -/
def softmax (x : Array Float32) : Array Float32 :=
  let top := largest x
  let e := x.map (fun v => Float32.exp (v - top))
  let total := e.foldl (fun sum v => sum + v) 0.0
  e.map (fun v => v / total)
