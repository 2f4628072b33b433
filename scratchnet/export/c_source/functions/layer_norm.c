/* y[i] = gamma[i] (x[i] - mean) / sqrt(variance + eps) + beta[i], each row by its own mean and variance. */
static void layer_norm(int rows, int n, const float *x, const float *gamma, const float *beta, double eps, float *y)
{
    for (int r = 0; r < rows; r++, x += n, y += n) {
        double mean, scale;
        standardize(n, x, eps, &mean, &scale);
        for (int i = 0; i < n; i++) {
            double xhat = (x[i] - mean) * scale;
            y[i] = (float)(gamma ? gamma[i] * xhat + beta[i] : xhat);
        }
    }
}
