/* y = max_pool2d(max(conv2d(x), 0)) */
static void conv2d_relu_max_pool2d(window conv, window pool, const float *x, const float *W, const float *b,
                                   float *hidden, float *y)
{
    conv2d(conv, x, W, b, hidden);
    relu(pool.in[0] * pool.in[1] * pool.in[2], hidden, hidden);
    max_pool2d(pool, hidden, y);
}
