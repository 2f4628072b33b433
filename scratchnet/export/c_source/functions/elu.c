/* y = x where x > 0, else alpha (e^x - 1) */
static void elu(int n, float alpha, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i] > 0 ? x[i] : alpha * expm1f(x[i]);
}
