/-- y = W x + b: W has a row for each output. -/
structure Dense where
  W : Array (Array Float32)
  b : Array Float32
