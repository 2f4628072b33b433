/* In *mean and *scale what makes n numbers have mean 0 and variance 1: xhat = (x - mean) * scale. */
static void standardize(int n, const float *x, double eps, double *mean, double *scale)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *scale = 1 / sqrt(squares / n + eps);
}
