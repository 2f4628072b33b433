/* y[t] = row x[t] of the table; zeros where x[t] is `padding`, NaN where there is no such row. */
static void embedding(int n, int rows, int width, int padding, const int *x, const float *table, float *y)
{
    for (int t = 0; t < n; t++)
        for (int i = 0; i < width; i++)
            *y++ = x[t] < 0 || x[t] >= rows ? NAN : x[t] == padding ? 0 : table[x[t] * width + i];
}
