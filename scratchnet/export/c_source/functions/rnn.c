/* h = f(W_ih x + b_ih + W_hh h' + b_hh), step by step, with f = max(., 0) or tanh; the first step has no h'. */
static void rnn(int steps, int inputs, int units, int reverse, int rectified, const float *x, const float *W_ih,
                const float *W_hh, const float *b_ih, const float *b_hh, float *y)
{
    const float *before = NULL;
    for (int s = 0; s < steps; s++) {
        int t = reverse ? steps - 1 - s : s;
        const float *now = x + t * inputs;
        float *h = y + t * units;
        for (int u = 0; u < units; u++) {
            float a = affine(u, inputs, W_ih, now, b_ih) + affine(u, units, W_hh, before, b_hh);
            h[u] = rectified ? (a <= 0 ? 0 : a) : tanhf(a);
        }
        before = h;
    }
}
