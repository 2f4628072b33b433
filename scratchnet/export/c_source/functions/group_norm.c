/* y[c] = gamma[c] (x[c] - mean) / sqrt(variance + eps) + beta[c], each group of channels by its own statistics. */
static void group_norm(int groups, int channels, int area, const float *x, const float *gamma, const float *beta,
                       double eps, float *y)
{
    for (int g = 0, n = channels / groups * area; g < groups; g++) {
        double mean, scale;
        standardize(n, x + g * n, eps, &mean, &scale);
        for (int i = g * n; i < (g + 1) * n; i++) {
            double xhat = (x[i] - mean) * scale;
            y[i] = (float)(gamma ? gamma[i / area] * xhat + beta[i / area] : xhat);
        }
    }
}
