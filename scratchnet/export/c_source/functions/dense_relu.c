/* y = max(W x + b, 0) for each of some rows. */
static void dense_relu(int rows, int inputs, int outputs, const float *x, const float *W, const float *b, float *y)
{
    dense(rows, inputs, outputs, x, W, b, y);
    relu(rows * outputs, y, y);
}
