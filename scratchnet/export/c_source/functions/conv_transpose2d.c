/* y[o][i * step + k * dilation - border][j * step + ...] is b[o] and the sum of x[c][i][j] W[c][o][k][l] over all that
   meet there: the convolution w, which leads from y to x, run backwards. With groups, c gives to the o of its own. */
static void conv_transpose2d(window w, const float *x, const float *W, const float *b, float *y)
{
    int outputs = w.in[0] / w.groups, area = w.in[1] * w.in[2], places = w.out[1] * w.out[2];
    for (int o = 0; o < w.in[0]; o++)
        for (int p = 0; p < area; p++)
            y[o * area + p] = b ? b[o] : 0;
    for (int c = 0; c < w.out[0]; c++, x += places) {
        float *group = y + c / (w.out[0] / w.groups) * outputs * area;
        for (int o = 0; o < outputs; o++)
            for (int k = 0; k < w.size[0]; k++)
                for (int l = 0; l < w.size[1]; l++) {
                    float weight = *W++;
                    int up, left, last_i, last_j;
                    int first_i = inside(&w, 0, k, &up, &last_i), first_j = inside(&w, 1, l, &left, &last_j);
                    for (int i = first_i; i < last_i; i++) {
                        float *row = group + o * area + (i * w.step[0] + up) * w.in[2];
                        for (int j = first_j; j < last_j; j++)
                            row[j * w.step[1] + left] += weight * x[i * w.out[2] + j];
                    }
                }
    }
}
