/* 1 / (1 + e^-x), from e^-|x|, which cannot overflow. */
static float logistic(float x)
{
    float e = expf(-fabsf(x));
    return (x > 0 ? 1 : e) / (1 + e);
}
