/* y[c][r][s] = the largest x of the window at (r, s), of those inside the image. A NaN counts as largest. */
static void max_pool2d(window w, const float *x, float *y)
{
    for (int c = 0; c < w.in[0]; c++, x += w.in[1] * w.in[2], y += w.out[1] * w.out[2]) {
        for (int p = 0; p < w.out[1] * w.out[2]; p++)
            y[p] = -INFINITY;
        for (int i = 0; i < w.size[0]; i++)
            for (int j = 0; j < w.size[1]; j++) {
                int up, left, last_r, last_s;
                int first_r = inside(&w, 0, i, &up, &last_r), first_s = inside(&w, 1, j, &left, &last_s);
                for (int r = first_r; r < last_r; r++)
                    for (int s = first_s; s < last_s; s++) {
                        float seen = x[(r * w.step[0] + up) * w.in[2] + s * w.step[1] + left];
                        float *best = &y[r * w.out[2] + s];
                        *best = *best >= seen || *best != *best ? *best : seen;
                    }
            }
    }
}
