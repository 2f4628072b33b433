/* y = gamma (x - mean) / sqrt(variance + eps) + beta, channel by channel, with the statistics of training. */
static void batch_norm(int channels, int area, const float *x, const float *gamma, const float *beta,
                       const float *mean, const float *variance, double eps, float *y)
{
    for (int c = 0; c < channels; c++) {
        double scale = 1 / sqrt(variance[c] + eps);
        for (int p = c * area; p < (c + 1) * area; p++) {
            double xhat = (x[p] - (double)mean[c]) * scale;
            y[p] = (float)(gamma ? gamma[c] * xhat + beta[c] : xhat);
        }
    }
}
