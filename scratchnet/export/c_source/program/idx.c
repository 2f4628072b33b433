#ifndef SCRATCHNET_SCALE
#define SCRATCHNET_SCALE @SCALE@ /* by what the pixels of an IDX file of bytes are multiplied */
#endif

/* Reads the header of an IDX file: its type of number, and in *held how many samples it declares. NUMBERS, from the
   beginning, if the file is of another kind; -1 if its samples are not of INPUTS numbers. */
static int idx_header(FILE *file, unsigned long *held)
{
    unsigned char b[4];
    unsigned long numbers = 1;
    if (fread(b, 1, 4, file) != 4 || b[0] || b[1] || (b[2] != BYTES && b[2] != FLOATS) || b[3] < 1) {
        rewind(file);
        return NUMBERS;
    }
    int type = b[2], axes = b[3];
    for (int axis = 0; axis < axes; axis++) {
        if (fread(b, 1, 4, file) != 4)
            return -1;
        unsigned long extent = (unsigned long)b[0] << 24 | (unsigned long)b[1] << 16 | (unsigned long)b[2] << 8 | b[3];
        if (axis == 0)
            *held = extent;
        else if (extent == 0 || extent > INPUTS || (numbers *= extent) > INPUTS)
            return -1;
    }
    return numbers == INPUTS ? type : -1;
}
