/* y = W x + b for each of some rows: y[o] = sum over i of W[o][i] x[i], plus b[o]. */
static void dense(int rows, int inputs, int outputs, const float *x, const float *W, const float *b, float *y)
{
    for (int r = 0; r < rows; r++, x += inputs, y += outputs)
        for (int o = 0; o < outputs; o++)
            y[o] = affine(o, inputs, W, x, b);
}
