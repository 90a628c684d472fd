export declare function tasklist(markdown: object, options?: object): void;
