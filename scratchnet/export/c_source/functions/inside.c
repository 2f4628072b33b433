/* Along one axis (0: rows, 1: columns), element k of the window at place i lies at i * step + *offset of the input.
   Returns the first place at which that is inside, and in *stop the one after the last. */
static int inside(const window *w, int axis, int k, int *offset, int *stop)
{
    int extent = w->in[axis + 1], places = w->out[axis + 1], step = w->step[axis];
    *offset = k * w->dilation[axis] - w->border[axis];
    *stop = extent > *offset ? (extent - 1 - *offset) / step + 1 : 0;
    *stop = *stop < places ? *stop : places;
    return *offset < 0 ? (-*offset + step - 1) / step : 0;
}
