/-- y[o] = sum over i of W[o][i] x[i], plus b[o]. -/
def Dense.apply (layer : Dense) (x : Array Float32) : Array Float32 :=
  (layer.W.zip layer.b).map (fun (row, b) => dot row x + b)
