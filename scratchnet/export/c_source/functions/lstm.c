/* c = f c' + i g and h = o tanh c, step by step, with the gates i, f, o = sigmoid and g = tanh of their rows of
   W_ih x + b_ih + W_hh h' + b_hh; the first step has no h', and c' = 0. */
static void lstm(int steps, int inputs, int units, int reverse, const float *x, const float *W_ih, const float *W_hh,
                 const float *b_ih, const float *b_hh, float *c, float *y)
{
    const float *before = NULL;
    for (int u = 0; u < units; u++)
        c[u] = 0;
    for (int s = 0; s < steps; s++) {
        int t = reverse ? steps - 1 - s : s;
        const float *now = x + t * inputs;
        float *h = y + t * units;
        for (int u = 0; u < units; u++) {
            float a[4];
            for (int gate = 0; gate < 4; gate++) {
                int row = gate * units + u;
                a[gate] = affine(row, inputs, W_ih, now, b_ih) + affine(row, units, W_hh, before, b_hh);
            }
            c[u] = logistic(a[1]) * c[u] + logistic(a[0]) * tanhf(a[2]);
            h[u] = logistic(a[3]) * tanhf(c[u]);
        }
        before = h;
    }
}
