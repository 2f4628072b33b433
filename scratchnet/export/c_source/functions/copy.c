/* An array of four axes is copied; a step says how far apart neighbours along an axis lie. */
static void copy(const int extent[4], const float *x, const int x_step[4], float *y, const int y_step[4])
{
    for (int i = 0; i < extent[0]; i++)
        for (int j = 0; j < extent[1]; j++)
            for (int k = 0; k < extent[2]; k++)
                for (int l = 0; l < extent[3]; l++)
                    y[i * y_step[0] + j * y_step[1] + k * y_step[2] + l * y_step[3]] =
                        x[i * x_step[0] + j * x_step[1] + k * x_step[2] + l * x_step[3]];
}
