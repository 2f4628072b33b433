/* y = x (1 + erf(x / sqrt 2)) / 2 */
static void gelu(int n, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i] * (1 + erff(x[i] * sqrtf(0.5f))) * 0.5f;
}
