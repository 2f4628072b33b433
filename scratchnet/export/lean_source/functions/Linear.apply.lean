/-- y[o] = sum over i of W[o][i] x[i]. -/
def Linear.apply (layer : Linear) (x : Array Float32) : Array Float32 :=
  layer.W.map (fun row => dot row x)
