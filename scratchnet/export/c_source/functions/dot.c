/* The sum of a[i] b[i], as sixteen sums side by side, which a compiler may add in one instruction. */
static float dot(int n, const float *a, const float *b)
{
    float sums[16] = {0}, sum = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16)
        for (int lane = 0; lane < 16; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (int lane = 0; lane < 16; lane++)
        sum += sums[lane];
    return sum;
}
