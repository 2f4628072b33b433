/* y[t] = sum over s of p[s] v[s] with p = softmax of q[t] . k[s] / sqrt(width) over s, head by head; causal: s <= t. */
static void attention(int heads, int queries, int keys, int width, int causal, const float *q, const float *k,
                      const float *v, float *p, float *y)
{
    for (int h = 0; h < heads; h++, k += keys * width, v += keys * width)
        for (int t = 0; t < queries; t++, q += width, y += width) {
            int seen = causal ? t + 1 : keys;
            for (int s = 0; s < seen; s++)
                p[s] = dot(width, q, k + s * width) * (1 / sqrtf((float)width));
            softmax(1, seen, 1, p, p);
            for (int i = 0; i < width; i++)
                y[i] = 0;
            for (int s = 0; s < seen; s++)
                for (int i = 0; i < width; i++)
                    y[i] += p[s] * v[s * width + i];
        }
}
