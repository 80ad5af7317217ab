#include "app/cli.h"

int main(int argc, char** argv) { return torsor::app::main(argc, argv); }
