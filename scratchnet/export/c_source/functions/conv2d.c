/* y[o][r][s] = b[o] + sum over c, i, j of W[o][c][i][j] x[c][r * step + i * dilation - border][s * step + ...].
   What lies outside of x counts as zero; with groups, o sees the channels c of its own group. */
static void conv2d(window w, const float *x, const float *W, const float *b, float *y)
{
    int channels = w.in[0] / w.groups, area = w.in[1] * w.in[2], places = w.out[1] * w.out[2];
    for (int o = 0; o < w.out[0]; o++, y += places) {
        const float *group = x + o / (w.out[0] / w.groups) * channels * area;
        for (int p = 0; p < places; p++)
            y[p] = b ? b[o] : 0;
        for (int c = 0; c < channels; c++)
            for (int i = 0; i < w.size[0]; i++)
                for (int j = 0; j < w.size[1]; j++) {
                    float weight = *W++;
                    int up, left, last_r, last_s;
                    int first_r = inside(&w, 0, i, &up, &last_r), first_s = inside(&w, 1, j, &left, &last_s);
                    for (int r = first_r; r < last_r; r++) {
                        const float *row = group + c * area + (r * w.step[0] + up) * w.in[2];
                        for (int s = first_s; s < last_s; s++)
                            y[r * w.out[2] + s] += weight * row[s * w.step[1] + left];
                    }
                }
    }
}
