/* y = 1 / (1 + e^-x) */
static void sigmoid(int n, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = logistic(x[i]);
}
