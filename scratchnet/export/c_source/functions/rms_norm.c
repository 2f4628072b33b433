/* y[i] = gamma[i] x[i] / sqrt(mean of x * x + eps), row by row. */
static void rms_norm(int rows, int n, const float *x, const float *gamma, double eps, float *y)
{
    for (int r = 0; r < rows; r++, x += n, y += n) {
        double squares = 0;
        for (int i = 0; i < n; i++)
            squares += (double)x[i] * x[i];
        double scale = 1 / sqrt(squares / n + eps);
        for (int i = 0; i < n; i++)
            y[i] = (float)((gamma ? gamma[i] : 1) * (x[i] * scale));
    }
}
