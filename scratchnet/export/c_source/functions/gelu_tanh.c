/* y = x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x x x) */
static void gelu_tanh(int n, const float *x, float *y)
{
    for (int i = 0; i < n; i++) {
        float u = (x[i] + x[i] * x[i] * x[i] * 0.044715f) * sqrtf(2 / 3.14159265358979323846f);
        y[i] = x[i] * (1 + tanhf(u)) * 0.5f;
    }
}
