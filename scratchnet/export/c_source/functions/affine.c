/* Element o of W x + b, for x with n elements. No x counts as zeros, and no b too. */
static float affine(int o, int n, const float *W, const float *x, const float *b)
{
    return (x ? dot(n, x, W + o * n) : 0) + (b ? b[o] : 0);
}
