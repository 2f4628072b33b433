/* y = tanh x */
static void hyperbolic_tangent(int n, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}
