#ifdef SCRATCHNET_MAIN
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { INPUTS = @INPUTS@, NUMBERS = 0, BYTES = 0x08, FLOATS = 0x0D };
