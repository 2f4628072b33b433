/* y[c] = the mean of x[c]. */
static void global_avg_pool2d(int channels, int area, const float *x, float *y)
{
    for (int c = 0; c < channels; c++, x += area) {
        double sum = 0;
        for (int p = 0; p < area; p++)
            sum += x[p];
        y[c] = (float)(sum / area);
    }
}
