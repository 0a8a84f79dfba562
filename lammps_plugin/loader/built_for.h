// What this plugin was built for, as alnn::parse_build reads it.
#ifndef ALNN_BUILT_FOR_H
#define ALNN_BUILT_FOR_H

extern "C" __attribute__((visibility("default"))) const char alnn_built_for[];

#endif
