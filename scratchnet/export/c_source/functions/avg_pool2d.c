/* y[c][r][s] = the sum of x over the window at (r, s), divided by how many of its elements lie inside the image
   (and in the border, if that counts). */
static void avg_pool2d(window w, int border_counts, const float *x, float *y)
{
    for (int c = 0; c < w.in[0]; c++, x += w.in[1] * w.in[2])
        for (int r = 0; r < w.out[1]; r++)
            for (int s = 0; s < w.out[2]; s++) {
                int top = r * w.step[0] - w.border[0], left = s * w.step[1] - w.border[1];
                int bottom = top + w.size[0], right = left + w.size[1], count;
                double sum = 0;
                if (border_counts) {
                    int rows = w.in[1] + w.border[0] - top, columns = w.in[2] + w.border[1] - left;
                    count = (w.size[0] < rows ? w.size[0] : rows) * (w.size[1] < columns ? w.size[1] : columns);
                }
                top = top > 0 ? top : 0, bottom = bottom < w.in[1] ? bottom : w.in[1];
                left = left > 0 ? left : 0, right = right < w.in[2] ? right : w.in[2];
                if (!border_counts)
                    count = (bottom - top) * (right - left);
                for (int i = top; i < bottom; i++)
                    for (int j = left; j < right; j++)
                        sum += x[i * w.in[2] + j];
                *y++ = (float)(sum / count);
            }
}
