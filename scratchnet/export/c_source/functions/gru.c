/* h = (1 - z) n + z h' with n = tanh(a_n + r q), r = sigmoid(a_r + q_r), z = sigmoid(a_z + q_z), step by step, where a
   and q are the rows of W_ih x + b_ih and of W_hh h' + b_hh; the first step has h' = 0. */
static void gru(int steps, int inputs, int units, int reverse, const float *x, const float *W_ih, const float *W_hh,
                const float *b_ih, const float *b_hh, float *y)
{
    const float *before = NULL;
    for (int s = 0; s < steps; s++) {
        int t = reverse ? steps - 1 - s : s;
        const float *now = x + t * inputs;
        float *h = y + t * units;
        for (int u = 0; u < units; u++) {
            float a[3], q[3];
            for (int gate = 0; gate < 3; gate++) {
                a[gate] = affine(gate * units + u, inputs, W_ih, now, b_ih);
                q[gate] = affine(gate * units + u, units, W_hh, before, b_hh);
            }
            float r = logistic(a[0] + q[0]), z = logistic(a[1] + q[1]), n = tanhf(a[2] + r * q[2]);
            h[u] = (1 - z) * n + (before ? z * before[u] : 0);
        }
        before = h;
    }
}
