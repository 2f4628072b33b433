/* y = max(x, 0) */
static void relu(int n, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i] <= 0 ? 0 : x[i];
}
