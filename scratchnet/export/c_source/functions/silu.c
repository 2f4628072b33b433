/* y = x / (1 + e^-x) */
static void silu(int n, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i] * logistic(x[i]);
}
