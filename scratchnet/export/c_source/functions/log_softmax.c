/* y[c] = x[c] - ln(sum of e^x over c), in each of some blocks of (n, width), along n. The largest x is taken out of the
   sum, which then cannot overflow. */
static void log_softmax(int blocks, int n, int width, const float *x, float *y)
{
    for (int p = 0; p < blocks * width; p++) {
        int first = p / width * n * width + p % width, stop = first + n * width;
        float top = x[first], sum = 0;
        for (int c = first; c < stop; c += width)
            top = x[c] > top ? x[c] : top;
        for (int c = first; c < stop; c += width)
            sum += expf(x[c] - top);
        for (int c = first; c < stop; c += width)
            y[c] = x[c] - top - logf(sum);
    }
}
