/-- The place of the largest element, the first of several. -/
def argmax (x : Array Float32) : Nat :=
  let top := largest x
  x.toList.findIdx (fun v => v == top)
