/* y = ln(1 + e^t) / beta with t = beta x, as max(t, 0) + ln(1 + e^-|t|), which cannot overflow; x above a threshold */
static void softplus(int n, float beta, float threshold, const float *x, float *y)
{
    for (int i = 0; i < n; i++) {
        float t = beta * x[i];
        y[i] = t > threshold ? x[i] : ((t > 0 ? t : 0) + log1pf(expf(-fabsf(t)))) / beta;
    }
}
